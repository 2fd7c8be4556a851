#!/usr/bin/env bash
# Let nobody listen at a merchant's endpoint until its events are given up, then listen and replay
# the dead letters: each event arrives, replayed twice too, with the same bytes.
#
#   tests/chaos/replay-dead-letter.sh
#
# Settings and needs: see house.sh; and a Python with aiohttp and standardwebhooks for the sink.
# shellcheck source-path=SCRIPTDIR source=house.sh
source "$(dirname "${BASH_SOURCE[0]}")/house.sh"

SINK_PORT=$(free_port)
export PAYRAIL_WEBHOOK_ALLOW=127.0.0.1:$SINK_PORT PAYRAIL_WEBHOOK_SCHEDULE=demo

letters() { "$PAYRAIL" dlq ls --json | jq -r '.[] | select(.why == "exhausted" and .state == "open") | .id'; }

events() { # Ids of all events of m_001.
    jq -r 'select(.merchant_id == "m_001") | .id' "$PAYRAIL_HOME/data/outbox/events.jsonl" | sort
}

# shellcheck disable=SC2317 # Called by its name.
missing() { # How many of them the sink has not taken.
    jq -r 'select(.status == 204) | .webhook_id' "$WORK/sink.jsonl" | sort -u | comm -23 <(events) - | wc -l
}

until_is() { # until_is WANTED COMMAND: wait until it prints that. Prints what it printed last.
    local seen='' until=$((SECONDS + FINAL_S_MAX))
    while ((SECONDS < until)); do
        seen=$($2)
        [[ $seen == "$1" ]] && break
        sleep 0.3
    done
    echo "$seen"
}

start_house
touch "$WORK/sink.jsonl"
once endpoint "$API/webhook-endpoints" "{\"url\":\"http://127.0.0.1:$SINK_PORT/m_001\"}" >/dev/null
card=$(token card)
final paid "$API/payment-intents" "$(order "$card")" >/dev/null
# shellcheck disable=SC2317 # Likewise.
given_up() { letters | wc -l; }
wanted=$(events | wc -l)
echo "$wanted events, and nobody listens"
check "each is given up and lies among the dead letters" "$wanted" "$(until_is "$wanted" given_up)"

(cd "$SOURCES" && exec "$PYTHON" -m actors.cli.chaos.sink --port "$SINK_PORT" \
    --witness "$WORK/sink.jsonl" --failing 0) 2>"$WORK/sink.log" &
sink_pid=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$SINK_PORT") 2>/dev/null; do
    kill -0 "$sink_pid" 2>/dev/null || { echo "no sink: $(tail -1 "$WORK/sink.log")" && exit 1; }
    sleep 0.2
done
mapfile -t open < <(letters)
for letter in "${open[@]}"; do
    "$PAYRAIL" dlq replay "$letter" >/dev/null
    "$PAYRAIL" dlq replay "$letter" >/dev/null 2>&1 || true # Somebody clicks twice.
done
check "every event has arrived" 0 "$(until_is 0 missing)"
check "no dead letter is open any more" 0 "$(until_is 0 given_up)"
check "each arrived once: the second replay was none" "$wanted" "$(wc -l <"$WORK/sink.jsonl")"
check "each with one body" "$wanted" "$(jq -r .body_sha "$WORK/sink.jsonl" | sort -u | wc -l)"
end
