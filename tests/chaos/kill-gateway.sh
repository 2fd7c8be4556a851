#!/usr/bin/env bash
# Kill the gateway once a second under 16 clients, then ask the books whether anything was lost.
#
#   PAYRAIL_WEBHOOK_ALLOW=127.0.0.1:9026 PAYRAIL_WEBHOOK_SCHEDULE=demo payrail up --demo &
#   tests/chaos/kill-gateway.sh
#
# Needs bash, curl, jq and a house that runs, in PAYRAIL_HOME. Settings: SECONDS_TO_RUN (60),
# CLIENTS (16), PAYRAIL (the command, payrail), SINK_PORT (9026), PYTHON (python3, which the sink
# runs on), PAYRAIL_HOME, PAYRAIL_API_PORT, PAYRAIL_VAULT_PORT. A house that does not allow the
# sink's address, or a Python without aiohttp and standardwebhooks, is asked about all but events.
# Exit code: 0 when every key got one final answer, the books hold it and `payrail verify` is clean.
set -euo pipefail

SECONDS_TO_RUN=${SECONDS_TO_RUN:-60}
CLIENTS=${CLIENTS:-16}
FINAL_S_MAX=${FINAL_S_MAX:-60}
PAYRAIL=${PAYRAIL:-payrail}
PYTHON=${PYTHON:-python3}
SINK_PORT=${SINK_PORT:-9026}
API=http://127.0.0.1:${PAYRAIL_API_PORT:-8026}
VAULT=http://127.0.0.1:${PAYRAIL_VAULT_PORT:-8027}
HOME_OF_HOUSE=$(realpath "${PAYRAIL_HOME:-.}")
CARD='{"number":"4242424242424242","exp_month":12,"exp_year":2040,"cvc":"123","name":"A B"}'
RUN=run$$ # Part of every key, so that the script can be run again on the same home.

seen=$(mktemp -d)
touch "$seen/kills" "$seen/read" "$seen/payments.0" "$seen/strange" "$seen/sink.jsonl"
sink_pid='' endpoint=''
finish() {
    [[ -z $endpoint ]] || curl -s -m 5 -o /dev/null -X DELETE "$API/webhook-endpoints/$endpoint" \
        -H "Authorization: Bearer $SECRET" || true
    [[ -z $sink_pid ]] || kill "$sink_pid" 2>/dev/null || true
    rm -rf "$seen"
}
trap finish EXIT
keys=$("$PAYRAIL" keys demo --json)
SECRET=$(jq -r .m_001.admin <<<"$keys")
PUBLISHABLE=$(jq -r .m_001.publishable <<<"$keys")

# An endpoint of m_001 at a sink that fails one time in ten.
hook() {
    (cd "$(dirname "$0")/../.." && exec "$PYTHON" -m actors.cli.chaos.sink --port "$SINK_PORT" \
        --witness "$seen/sink.jsonl") 2>"$seen/sink.log" &
    sink_pid=$!
    endpoint=$(curl -s -m 15 -X POST "$API/webhook-endpoints" -H "Authorization: Bearer $SECRET" \
        -H 'Content-Type: application/json' -d "{\"url\":\"http://127.0.0.1:$SINK_PORT/m_001\"}" |
        jq -r '.id // empty')
    sleep 1 # A sink that cannot be has ended by now.
    kill -0 "$sink_pid" 2>/dev/null || { echo "no sink: $(tail -1 "$seen/sink.log")" && return; }
    [[ -n $endpoint ]] || echo "no events: start the house with PAYRAIL_WEBHOOK_ALLOW=127.0.0.1:$SINK_PORT"
}

letters() { # Ids of the dead letters, but for deliveries that were given up: those are replayed.
    cat "$HOME_OF_HOUSE"/mailboxes/dlq/*.jsonl 2>/dev/null |
        jq -r 'select(.why != "exhausted") | .id' | sort
}

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

strike() { # Kill the gateway, and read a payment at once, which needs no gateway.
    local pid id
    pid=$("$PAYRAIL" ps --json | jq -r '.[] | select(.name == "gateway") | .pid // empty')
    [[ -n $pid ]] && kill -KILL "$pid" 2>/dev/null && echo "$pid" >>"$seen/kills" || return 0
    id=$(cat "$seen"/payments.* | tail -n 1 | cut -d' ' -f1)
    [[ -z $id ]] || curl -s -m 15 -o /dev/null -w '%{http_code}\n' "$API/payment-intents/$id" \
        -H "Authorization: Bearer $SECRET" >>"$seen/read" || true
}

killer() { # Each strike runs by itself: on a busy machine, looking up the pid takes a while.
    local until=$((SECONDS + SECONDS_TO_RUN))
    while ((SECONDS < until)); do
        sleep 1
        strike &
    done
    wait
}

hook
letters >"$seen/letters.before"
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
echo "reads        $(sort "$seen/read" | uniq -c | xargs) right after a kill"

wrong=0
# check WHAT COUNT: say it, and let a count above zero be wrong.
check() {
    printf '%-28s %s\n' "$1" "$2"
    wrong=$((wrong + $2))
}

# Every acknowledged payment stands in the book as created and captured, once each.
book=$HOME_OF_HOUSE/data/ledger/payments.jsonl
lost=0
cat "$seen"/payments.* | cut -d' ' -f1 | sort >"$seen/ids"
for type in payment.created payment.captured; do
    jq -r --arg type "$type" 'select(.type == $type) | .ref' "$book" | sort >"$seen/booked"
    lost=$((lost + $(comm -23 "$seen/ids" <(uniq "$seen/booked") | wc -l)))
    lost=$((lost + $(comm -12 "$seen/ids" <(uniq -d "$seen/booked") | wc -l)))
done
check "lost or twice in the book" "$lost"

# Approvals less reversals, over both providers: at most one for each payment.
check "charged more than once" "$(cat "$HOME_OF_HOUSE"/data/providers/*_truth.jsonl |
    jq -r 'select(.operation == "authorize" or .operation == "reverse")
        | "\(.reference | sub("[.][0-9]+$"; "")) \(if .operation == "authorize" then 1 else -1 end)"' |
    awk '{ live[$1] += $2 } END { for (id in live) n += live[id] > 1; print n + 0 }')"

check "entries not zero" "$(jq -c '[.postings[] | {(.currency): .amount}]
    | map(to_entries[]) | group_by(.key) | map(map(.value) | add) | select(any(. != 0))' "$book" | wc -l)"

letters >"$seen/letters.after"
check "new dead letters" "$(comm -13 "$seen/letters.before" "$seen/letters.after" | wc -l)"

# Every event of these payments arrived at the sink; what was given up is replayed by hand.
missing() {
    jq -r '.data.object.id as $id | select(.merchant_id == "m_001") | "\($id) \(.id)"' \
        "$HOME_OF_HOUSE/data/outbox/events.jsonl" | sort | join - "$seen/ids" | cut -d' ' -f2 |
        sort >"$seen/events"
    jq -r 'select(.status == 204) | .webhook_id' "$seen/sink.jsonl" | sort -u |
        comm -23 "$seen/events" - | wc -l
}
if [[ -n $endpoint ]] && kill -0 "$sink_pid" 2>/dev/null; then
    for _ in $(seq 60); do
        (($(missing))) || break
        for letter in $("$PAYRAIL" dlq ls --json |
            jq -r '.[] | select(.why == "exhausted") | .id'); do
            "$PAYRAIL" dlq replay "$letter" >/dev/null
        done
        sleep 1
    done
    check "events not at the sink" "$(missing)"
    printf '%-28s %s\n' "events of these payments" "$(wc -l <"$seen/events")"
fi

if [[ -s $seen/strange ]]; then
    echo "strange:" && cat "$seen/strange"
    wrong=$((wrong + 1))
fi
"$PAYRAIL" verify && ((wrong == 0))
