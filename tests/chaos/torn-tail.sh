#!/usr/bin/env bash
# Do to files by hand what a power cut and what somebody with an editor would do: a torn line at the
# end of a journal is cut off and nothing is lost; a changed digit is named by file and line.
#
#   tests/chaos/torn-tail.sh
#
# Settings and needs: see house.sh.
# shellcheck source-path=SCRIPTDIR source=house.sh
source "$(dirname "${BASH_SOURCE[0]}")/house.sh"

JOURNAL=$PAYRAIL_HOME/data/actors/gateway/journal.jsonl

start_house
card=$(token card)
for number in 1 2 3; do
    final "paid$number" "$API/payment-intents" "$(order "$card")" | jq -r .id >>"$WORK/ids"
done
kill -KILL "$house_pid" # No orderly end: the tail is what it is.
wait "$house_pid" 2>/dev/null || true

echo "half a line at the end of the gateway's journal"
tail -n 1 "$JOURNAL" | head -c 200 >"$WORK/half"
cat "$WORK/half" >>"$JOURNAL"
start_house
while read -r id; do
    check "payment $id is captured as before" captured \
        "$(curl -s "$API/payment-intents/$id" -H "Authorization: Bearer $SECRET" | jq -r .state)"
done <"$WORK/ids"
check "the torn half is gone, the book whole" 0 "$(jq -c . "$JOURNAL" >/dev/null && echo 0)"
stop_house

# verdict NAME: what verify says; the file is then put back.
verdict() {
    local code=0
    "$PAYRAIL" verify >"$WORK/verify.txt" 2>&1 || code=$?
    check "verify ends with 65" 65 "$code"
    check "and names $1" "$1" "$(grep -oF "$1" "$WORK/verify.txt" | head -1)"
}

echo "one digit of one amount in the ledger"
cp -p "$BOOK" "$WORK/book"
sed -i '3s/"amount":1099/"amount":1098/' "$BOOK"
check "something was changed" yes "$(cmp -s "$BOOK" "$WORK/book" && echo no || echo yes)"
verdict data/ledger/payments.jsonl:3
cp -p "$WORK/book" "$BOOK"

echo "the last line of the ledger taken away"
sed -i '$d' "$BOOK"
verdict data/ledger/payments.jsonl
cp -p "$WORK/book" "$BOOK"

echo "two lines of the journal in each other's place"
cp -p "$JOURNAL" "$WORK/journal"
sed -i '4{h;d};5{G}' "$JOURNAL"
verdict data/actors/gateway/journal.jsonl:4
cp -p "$WORK/journal" "$JOURNAL"

end
