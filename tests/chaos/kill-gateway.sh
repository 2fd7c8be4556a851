#!/usr/bin/env bash
# Kill the gateway once a second under 16 clients, then ask the books whether anything was lost.
#
#   payrail up --demo &          # in PAYRAIL_HOME
#   tests/chaos/kill-gateway.sh
#
# Needs bash, curl, jq and a house that runs. Settings: SECONDS_TO_RUN (60), CLIENTS (16),
# PAYRAIL (the command, payrail), PAYRAIL_HOME, PAYRAIL_API_PORT, PAYRAIL_VAULT_PORT.
# Exit code: 0 when every key got one final answer and `payrail verify` is clean, else 1.
set -euo pipefail

SECONDS_TO_RUN=${SECONDS_TO_RUN:-60}
CLIENTS=${CLIENTS:-16}
FINAL_S_MAX=${FINAL_S_MAX:-60}
PAYRAIL=${PAYRAIL:-payrail}
API=http://127.0.0.1:${PAYRAIL_API_PORT:-8026}
VAULT=http://127.0.0.1:${PAYRAIL_VAULT_PORT:-8027}
CARD='{"number":"4242424242424242","exp_month":12,"exp_year":2040,"cvc":"123","name":"A B"}'
RUN=run$$ # Part of every key, so that the script can be run again on the same home.

seen=$(mktemp -d)
touch "$seen/kills" "$seen/payments.0"
trap 'rm -rf "$seen"' EXIT
keys=$($PAYRAIL keys demo --json)
SECRET=$(jq -r .m_001.admin <<<"$keys")
PUBLISHABLE=$(jq -r .m_001.publishable <<<"$keys")

# send CLIENT API_KEY IDEMPOTENCY_KEY URL BODY: the same request again and again until its answer is
# final; prints the body. 000 is a connection that was refused or dropped.
send() {
    local out=$seen/body.$1 status until=$((SECONDS + FINAL_S_MAX))
    while ((SECONDS < until)); do
        status=$(curl -s -m 15 -o "$out" -w '%{http_code}' -X POST "$4" \
            -H "Authorization: Bearer $2" -H "Idempotency-Key: $3" \
            -H 'Content-Type: application/json' -d "$5") || status=000
        echo "$status" >>"$seen/statuses.$1"
        case $status in
        200 | 201 | 402) cat "$out" && return 0 ;;
        000 | 202 | 409 | 429 | 503 | 504) sleep 0.1 ;;
        *) echo "$3: $status $(cat "$out")" >>"$seen/strange" && return 1 ;;
        esac
    done
    echo "$3: no final answer, last $status" >>"$seen/strange"
    return 1
}

client() {
    renice -n 10 -p "$BASHPID" >/dev/null # Sixteen shells must not starve the house and its killer.
    local i=0 key token id body state until=$((SECONDS + SECONDS_TO_RUN))
    while ((SECONDS < until)); do
        i=$((i + 1)) key=$RUN-$1-$i
        token=$(send "$1" "$PUBLISHABLE" "$key-t" "$VAULT/tokenize" "$CARD" | jq -r .token) || continue
        body="{\"amount\":$((100 + i)),\"currency\":\"USD\",\"payment_method\":\"$token\"}"
        id=$(send "$1" "$SECRET" "$key-1" "$API/payment-intents" "$body" | jq -r .id) || continue
        send "$1" "$SECRET" "$key-2" "$API/payment-intents/$id/authorize" '{}' >/dev/null || continue
        state=$(send "$1" "$SECRET" "$key-3" "$API/payment-intents/$id/capture" '{}' | jq -r .state) || continue
        echo "$id $state" >>"$seen/payments.$1"
    done
}

strike() {
    local pid
    pid=$($PAYRAIL ps --json | jq -r '.[] | select(.name == "gateway") | .pid // empty')
    [[ -n $pid ]] && kill -KILL "$pid" 2>/dev/null && echo "$pid" >>"$seen/kills"
}

killer() { # Each strike runs by itself: on a busy machine, looking up the pid takes a while.
    local until=$((SECONDS + SECONDS_TO_RUN))
    while ((SECONDS < until)); do
        sleep 1
        strike &
    done
    wait
}

waiting=()
for number in $(seq "$CLIENTS"); do
    client "$number" || true &
    waiting+=($!)
done
killer &
wait "${waiting[@]}" $!

echo "kills        $(wc -l <"$seen/kills")"
echo "payments     $(cat "$seen"/payments.* | wc -l)"
echo "by state     $(cat "$seen"/payments.* | cut -d' ' -f2 | sort | uniq -c | xargs)"
echo "by status    $(cat "$seen"/statuses.* | sort | uniq -c | xargs)"

# Every acknowledged payment stands in the book as created and captured, once each.
book=${PAYRAIL_HOME:-.}/data/ledger/payments.jsonl
lost=0
cat "$seen"/payments.* | cut -d' ' -f1 | sort >"$seen/ids"
for type in payment.created payment.captured; do
    jq -r --arg type "$type" 'select(.type == $type) | .ref' "$book" | sort >"$seen/booked"
    lost=$((lost + $(comm -23 "$seen/ids" <(uniq "$seen/booked") | wc -l)))
    lost=$((lost + $(comm -12 "$seen/ids" <(uniq -d "$seen/booked") | wc -l)))
done
echo "lost or twice $lost"
if [[ -s $seen/strange ]]; then
    echo "strange:" && cat "$seen/strange"
    lost=$((lost + 1))
fi
$PAYRAIL verify && ((lost == 0))
