#!/usr/bin/env bash
# Start a second house on the home of the first: it is refused with 73 and changes nothing. Kill the
# first with -9: its home is free at once, and the next house knows everything.
#
#   tests/chaos/double-start.sh
#
# Settings and needs: see house.sh.
# shellcheck source-path=SCRIPTDIR source=house.sh
source "$(dirname "${BASH_SOURCE[0]}")/house.sh"

start_house
card=$(token card)
first=$(final first "$API/payment-intents" "$(order "$card")" | jq -r .id)
lines=$(wc -l <"$BOOK")

for extra in '' --inline '--only gateway'; do
    code=0
    # shellcheck disable=SC2086 # Words of a command.
    (cd "$WORK" && exec "$PAYRAIL" up --demo $extra) >"$WORK/second.out" 2>"$WORK/second.err" || code=$?
    check "a second \`up $extra\` ends with 73" 73 "$code"
    check "it names the process that holds the home" 1 \
        "$(grep -c "process $house_pid" "$WORK/second.err" || true)"
    check "it says nothing on stdout" 0 "$(wc -c <"$WORK/second.out")"
done
check "the book is as long as before" "$lines" "$(wc -l <"$BOOK")"
check "the first one still takes payments" captured \
    "$(final second "$API/payment-intents" "$(order "$card")" | jq -r .state)"

gateway=$(field gateway pid)
kill -KILL "$house_pid"
wait "$house_pid" 2>/dev/null || true
for _ in $(seq 50); do
    kill -0 "$gateway" 2>/dev/null || break
    sleep 0.1
done
check "its actors end with their supervisor" no "$(kill -0 "$gateway" 2>/dev/null && echo yes || echo no)"
start_house
check "the next house knows the payment" captured \
    "$(curl -s "$API/payment-intents/$first" -H "Authorization: Bearer $SECRET" | jq -r .state)"
check "and answers its key with the same bytes" "$(sha256sum <"$WORK/first.json")" \
    "$(final first "$API/payment-intents" "$(order "$card")" | sha256sum)"
end
