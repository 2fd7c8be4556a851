"""Every `code` of a problem: its status, what it means and what to do about it.

The OpenAPI documents, the page of them and the tests read this table; who raises a refusal names
one of these. A code lasts: programs compare it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """`also`: other statuses under which the same thing is said."""

    status: int
    meaning: str
    remedy: str
    retryable: bool = False
    also: tuple[int, ...] = ()


_SAME_KEY = "Ask again with the same Idempotency-Key."
_LATER = "Wait as long as Retry-After says, then ask again."

CODES: dict[str, ProblemCode] = {
    "bad-request": ProblemCode(
        400, "The bytes are not HTTP as we read it.", "Look at the request line and the headers."
    ),
    "malformed-json": ProblemCode(
        400, "The body is not strict JSON.", "The detail says where; no NaN, no key twice."
    ),
    "malformed-notice": ProblemCode(
        400, "A signed notice that has not the shape of its provider.", "Compare with its format."
    ),
    "idempotency-key-missing": ProblemCode(
        400, "This order needs an Idempotency-Key.", "Send one, new for each thing you want."
    ),
    "idempotency-key-invalid": ProblemCode(
        400,
        "The Idempotency-Key cannot be one.",
        "Send it once: 1 to 255 printable ASCII characters without a card number.",
    ),
    "timestamp-out-of-tolerance": ProblemCode(
        400, "A signed notice is too old or from the future.", "Sign it anew; mind the clock."
    ),
    "unauthenticated": ProblemCode(
        401, "The key is missing, unknown, wrong or revoked.", "Send `Authorization: Bearer <key>`."
    ),
    "signature-invalid": ProblemCode(
        401, "The signature does not fit the bytes.", "Sign the body as it is sent."
    ),
    "card-declined": ProblemCode(
        402,
        "The issuer or the provider said no; `decline_code` says why.",
        "Ask for another card. The payment is in `payment_intent`.",
    ),
    "forbidden": ProblemCode(
        403, "The role of this key may not do this.", "Use a key of a role that the detail names."
    ),
    "passphrase-wrong": ProblemCode(
        403,
        "It is not the passphrase of this operator.",
        "Type it again; after ten wrong ones in a row none is tried for half an hour.",
    ),
    "four-eyes": ProblemCode(
        403, "Whoever asked for it may not approve it.", "Have another user approve it."
    ),
    "not-found": ProblemCode(
        404,
        "There is nothing under this path or id, or it belongs to somebody else.",
        "Compare the id; lists show what there is.",
    ),
    "method-not-allowed": ProblemCode(
        405, "This path does not take this method.", "Allow lists those it takes."
    ),
    "request-timeout": ProblemCode(
        408, "The body did not come in time.", "Send it at once.", retryable=True
    ),
    "idempotency-in-flight": ProblemCode(
        409, "The first request with this key is not done yet.", _LATER, retryable=True
    ),
    "illegal-transition": ProblemCode(
        409, "The state does not allow this; `legal` names what it allows.", "Do one of those."
    ),
    "operation-in-doubt": ProblemCode(
        409, "A call to the provider has no outcome yet.", "Ask again when it has.", retryable=True
    ),
    "authorization-expired": ProblemCode(
        409, "The hold is over.", "Make a new payment; nothing was taken."
    ),
    "dispute-open": ProblemCode(
        409, "A dispute about this payment is open.", "Answer the dispute first."
    ),
    "last-admin-key": ProblemCode(
        409, "Without this key nobody could manage keys.", "Make another admin key first."
    ),
    "challenge-used": ProblemCode(
        409, "This challenge has had its one answer.", "Look at the payment; it went on."
    ),
    "challenge-expired": ProblemCode(
        410, "This challenge was not answered in time.", "Make a new payment."
    ),
    "ledger-damaged": ProblemCode(
        409, "The ledger has a line that does not read.", "`payrail verify` names it."
    ),
    "ledger-changed": ProblemCode(
        409, "A prefix of the ledger is not what it was.", "`payrail verify` says since when."
    ),
    "reference-fenced": ProblemCode(
        409, "This reference was asked about before it came.", "Take a new reference."
    ),
    "token-taken": ProblemCode(409, "This token stands for a card already.", "Ask for another."),
    "body-too-large": ProblemCode(
        413, "The body is longer than this path takes.", "Send less; the detail has the bound."
    ),
    "unsupported-media-type": ProblemCode(
        415, "The body does not say that it is JSON.", "Send `Content-Type: application/json`."
    ),
    "misdirected-request": ProblemCode(
        421, "The Host is none of this listener's.", "Use the address that the house printed."
    ),
    "validation-error": ProblemCode(
        422,
        "Something in it cannot be meant; `errors` names each field.",
        "Mend those fields.",
        also=(400,),
    ),
    "idempotency-key-reused": ProblemCode(
        422, "This key was used for something else; `diff` shows what.", "Take a new key."
    ),
    "reference-reused": ProblemCode(
        422, "This reference names something else; `diff` shows what.", "Take a new reference."
    ),
    "amount-exceeds": ProblemCode(
        422, "More than there is left.", "Ask for no more than the detail says."
    ),
    "unknown-token": ProblemCode(
        422, "No card of this merchant has this token.", "Send the card to the vault's /tokenize."
    ),
    "expired-token": ProblemCode(
        422, "The token was made to end by now.", "Send the card to the vault's /tokenize again."
    ),
    "token-used": ProblemCode(
        422, "A single-use token that another payment has used.", "Make a token for each payment."
    ),
    "card-key-unavailable": ProblemCode(
        503, "No key for a new card can be made durable.", _LATER, retryable=True
    ),
    "seal-broken": ProblemCode(
        422, "The seal is not for this provider and reference.", "Seal the card anew."
    ),
    "endpoint-not-allowed": ProblemCode(
        422, "This URL may not be called.", "Use https at a public address with a name."
    ),
    "provider-broken": ProblemCode(
        502,
        "An answer that says nothing about the call.",
        "Ask for the reference; it may have happened.",
        also=(500, 504),
    ),
    "expired": ProblemCode(
        504, "The call came too late, and nothing was processed.", "Call with a new reference."
    ),
    "provider-key-missing": ProblemCode(
        503, "The provider has published no key yet.", _LATER, retryable=True
    ),
    "vault-record-mismatch": ProblemCode(
        503, "The stored card does not open.", "`payrail verify` names the record."
    ),
    "vault-sealed": ProblemCode(
        503,
        "The vault may not open its cards as it stands; nothing is lost.",
        "`/health` of the vault says why: operators unlock it, or a file is put back.",
        retryable=True,
    ),
    "rotation-under-way": ProblemCode(
        409,
        "The last rotation of keys has not come as far.",
        "GET /rotate-keys tells how far it is; ask again.",
        retryable=True,
    ),
    "not-accepted": ProblemCode(
        503, "The provider says that it did not take this up.", "Try another one.", retryable=True
    ),
    "rate-limited": ProblemCode(
        429, "Too many requests with this key.", _LATER, retryable=True
    ),
    "internal-error": ProblemCode(
        500, "Our fault.", f"Tell us the correlation id. {_SAME_KEY}"
    ),
    "actor-restarting": ProblemCode(
        503, "An actor is being reborn.", _SAME_KEY, retryable=True, also=(504,)
    ),
    "overloaded": ProblemCode(
        503, "More is waiting than can be done in time.", _LATER, retryable=True, also=(504,)
    ),
    "audit-unavailable": ProblemCode(
        503, "The access log cannot be written, so no card is touched.", _LATER, retryable=True
    ),
    "clock-stopped": ProblemCode(
        503, "An advance of the clock ended before its end.", "GET /clock tells what it waits for."
    ),
    "clock-unavailable": ProblemCode(
        503, "The file of the clock cannot be used.", "`payrail doctor` names why.", retryable=True
    ),
    "file-damaged": ProblemCode(
        503, "A file of the house does not read.", "The detail names what writes it anew."
    ),
    "statement-damaged": ProblemCode(
        503, "A provider's statement does not read.", "The detail names file and line.", also=(409,)
    ),
}  # fmt: skip
