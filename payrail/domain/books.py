"""Where the books of the house lie. One actor writes each; whoever else reads one follows it.

Never: opens a file.
"""

LEDGER_BOOK = "data/ledger/payments.jsonl"
#: These share one gapless `seq` with the payments'.
REFUNDS_BOOK = "data/ledger/refunds.jsonl"
DISPUTES_BOOK = "data/ledger/disputes.jsonl"
OUTBOX_BOOK = "data/outbox/events.jsonl"
DELIVERIES_BOOK = "data/outbox/deliveries.jsonl"
ACCESS_BOOK = "data/access/changes.jsonl"
#: Who touched a card, and why.
CARD_ACCESS_BOOK = "data/vault/access_log.jsonl"
