# Sourced by the scripts beside it: a house of its own in a temporary home on free ports, and what
# people do with it. The house ends with the script, and its home goes, but for HOME_KEPT=1.
# Needs bash, curl and jq. Settings: PAYRAIL (the command, payrail), PYTHON (python3, for the sink).
# shellcheck shell=bash disable=SC2034,SC2317 # What is set here is used by who sources it.
set -euo pipefail

PAYRAIL=${PAYRAIL:-payrail}
PYTHON=${PYTHON:-python3}
READY_S_MAX=${READY_S_MAX:-120}
FINAL_S_MAX=${FINAL_S_MAX:-120}
CARD='{"number":"4242424242424242","exp_month":12,"exp_year":2040,"cvc":"123","name":"A B"}'
SOURCES=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORK=$(mktemp -d "${TMPDIR:-/tmp}/payrail-XXXXXX")
house_pid='' sink_pid='' wrong=0

free_port() { # A port that nobody listens at now, below those that systems lend to clients.
    local port
    while port=$((20000 + RANDOM % 12000)); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" && return; }
    done
}

for name in API VAULT PROVIDER CONSOLE; do
    export "PAYRAIL_${name}_PORT=$(free_port)"
done
export PAYRAIL_HOME=$WORK/home
API=http://127.0.0.1:$PAYRAIL_API_PORT
VAULT=http://127.0.0.1:$PAYRAIL_VAULT_PORT
BOOK=$PAYRAIL_HOME/data/ledger/payments.jsonl
mkdir -p "$PAYRAIL_HOME"

finish() {
    stop_house
    [[ -z $sink_pid ]] || kill "$sink_pid" 2>/dev/null || true
    if declare -F cleared >/dev/null; then cleared; fi
    if [[ -n ${HOME_KEPT:-} ]]; then echo "kept: $WORK"; else rm -rf "$WORK"; fi
}
trap finish EXIT

start_house() { # Returns when every actor serves.
    # Its own folder: a .env there would be a setting of the house.
    (cd "$WORK" && exec "$PAYRAIL" up --demo) 2>>"$WORK/house.log" &
    house_pid=$!
    local until=$((SECONDS + READY_S_MAX))
    until [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "$API/ready") == 200 ]]; do
        if ! kill -0 "$house_pid" 2>/dev/null || ((SECONDS > until)); then
            echo "the house did not start:" && tail -20 "$WORK/house.log" && exit 1
        fi
        sleep 0.2
    done
    KEYS=$("$PAYRAIL" keys demo --json)
    SECRET=$(jq -r .m_001.admin <<<"$KEYS")
}

stop_house() { # SIGTERM ends it in order.
    [[ -n $house_pid ]] || return 0
    kill -TERM "$house_pid" 2>/dev/null || true
    wait "$house_pid" 2>/dev/null || true
    house_pid=''
}

field() { # field ACTOR NAME: one field of its row of ps.
    "$PAYRAIL" ps --json | jq -r --arg name "$1" --arg field "$2" \
        '.[] | select(.name == $name) | .[$field] // empty'
}

serves() { # serves ACTOR EPOCH: wait until it serves in a later epoch than that.
    local until=$((SECONDS + READY_S_MAX))
    while ((SECONDS < until)); do
        [[ $(field "$1" state) == serving && $(field "$1" epoch) -gt $2 ]] && return 0
        sleep 0.2
    done
    return 1
}

once() { # once KEY URL BODY: send it once. Prints the status; the body is in $WORK/KEY.json.
    curl -s -m 20 -o "$WORK/$1.json" -w '%{http_code}' -X POST "$2" \
        -H "Authorization: Bearer $SECRET" -H "Idempotency-Key: $1" \
        -H 'Content-Type: application/json' -d "$3" || true
}

final() { # final KEY URL BODY: send it with the same key until the answer is final. Prints the body.
    local status='' until=$((SECONDS + FINAL_S_MAX))
    while ((SECONDS < until)); do
        status=$(once "$@")
        case $status in
        200 | 201 | 402) cat "$WORK/$1.json" && return 0 ;;
        000 | 202 | 409 | 429 | 503 | 504) sleep 0.2 ;;
        *) break ;;
        esac
    done
    echo "$1: $status $(cat "$WORK/$1.json" 2>/dev/null)" >&2
    return 1
}

token() { final "$1" "$VAULT/tokenize" "$CARD" | jq -r .token; }

order() { # order TOKEN: the body of a payment that is charged at once.
    echo "{\"amount\":1099,\"currency\":\"USD\",\"payment_method\":\"$1\",\"confirm\":true,\"capture_method\":\"automatic\"}"
}

booked() { # booked TYPE PAYMENT: how often it stands in the book.
    jq -s --arg type "$1" --arg ref "$2" '[.[] | select(.type == $type and .ref == $ref)] | length' "$BOOK"
}

charged() { # charged PAYMENT: approvals less reversals, over both providers.
    cat "$PAYRAIL_HOME"/data/providers/*_truth.jsonl | jq -s --arg id "$1" '
        [.[] | select(.reference | startswith($id + "."))
             | {authorize: 1, reverse: -1}[.operation] // 0] | add // 0'
}

check() { # check FACT WANTED SEEN: say it, and remember when it does not hold.
    if [[ $2 == "$3" ]]; then
        printf '  ok     %s\n' "$1"
    else
        printf '  WRONG  %s: %s, not %s\n' "$1" "$3" "$2"
        wrong=1
    fi
}

end() { # The house stops, its files are verified, and the exit code says whether all holds.
    stop_house
    local code=0
    "$PAYRAIL" verify >"$WORK/verify.txt" 2>&1 || code=$?
    check "payrail verify finds nothing" 0 "$code"
    ((code == 0)) || tail -20 "$WORK/verify.txt"
    exit "$wrong"
}
