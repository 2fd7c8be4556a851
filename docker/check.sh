#!/usr/bin/env bash
# Walk through the house in containers, on a real engine: bash docker/check.sh
# Every step prints OK, SKIP with the reason, or FAIL; exit 1 when one failed.
#
# Works on a copy of the sources in a temporary folder, with free ports, and leaves nothing behind:
# no container, volume, network or image of its own, and no engine that it started. As root it
# installs engine and compose from Debian's packages where they are missing; where the base image
# cannot be pulled, it makes one of this system's Python. Takes 2 to 5 minutes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
sources=$PWD

BASE=python:3.12-slim
PAN=4242424242424242
ENGINE_S_MAX=60
PULL_S_MAX=300
READY_S_MAX=120
END_S_MAX=20

work=$(mktemp -d "${TMPDIR:-/tmp}/payrail-check.XXXXXX")
project=payrailcheck$$
# What the caller has set for a house of his own is not for this one.
while read -r name; do unset "$name"; done < <(compgen -e | grep -E '^(PAYRAIL|COMPOSE)_' || true)
export COMPOSE_PROJECT_NAME=$project PAYRAIL_IMAGE=payrail-check:$$ COMPOSE_INTERACTIVE_NO_CLI=1
compose_files=(-f docker-compose.yml)
failed=0

wrong() { echo "$*" >"$work/why"; return 1; }
skip() { echo "$*" >"$work/why"; exit 3; }

# step TEXT FUNCTION: run it in a shell that ends at the first command that fails; tell how it went.
step() {
    local began=$SECONDS code why=""
    set +e
    (set -e; "$2") >"$work/step.log" 2>&1 </dev/null
    code=$?
    set -e
    [[ -s $work/why ]] && why=$(<"$work/why")
    rm -f "$work/why"
    case $code in
        0) printf 'OK    %s (%d s)\n' "$1" $((SECONDS - began)) ;;
        3) printf 'SKIP  %s: %s\n' "$1" "$why" ;;
        *)
            printf 'FAIL  %s%s\n' "$1" "${why:+: $why}"
            tail -n 30 "$work/step.log" | sed 's/^/      /'
            failed=1
            ;;
    esac
}

# The steps without which no other makes sense.
must() {
    step "$@"
    ((failed == 0)) || exit 1
}

# patiently SECONDS COMMAND...: until it succeeds.
patiently() {
    local ends=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < ends)) || return 1
        sleep 0.3
    done
}

cleanup() {
    local code=$? daemon
    trap - EXIT
    set +e
    if [[ -d $work/house ]]; then
        cd "$work/house"
        compose down -v --remove-orphans >/dev/null 2>&1
        docker image rm -f "$PAYRAIL_IMAGE" >/dev/null 2>&1
    fi
    cd "$sources"
    if [[ -s $work/dockerd.pid ]]; then
        daemon=$(<"$work/dockerd.pid")
        kill "$daemon"
        for _ in {1..60}; do
            kill -0 "$daemon" 2>/dev/null || break
            sleep 0.5
        done
    fi
    rm -rf "$work"
    exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# --- the engine -------------------------------------------------------------------------------

compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "${compose_files[@]}" "$@"
    else
        docker-compose "${compose_files[@]}" "$@"
    fi
}

has_engine() {
    command -v curl && command -v jq && command -v docker &&
        { docker compose version || command -v docker-compose; } &&
        { docker info || command -v dockerd; }
}

engine() {
    if ! has_engine; then
        [[ $(id -u) -eq 0 ]] && command -v apt-get || wrong "install docker, compose, curl and jq"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends docker.io docker-compose iptables curl jq
    fi
    docker info && return
    [[ $(id -u) -eq 0 ]] || wrong "start the engine: no daemon answers"
    setsid dockerd >"$work/dockerd.log" 2>&1 &
    echo $! >"$work/dockerd.pid"
    patiently $ENGINE_S_MAX docker info || { tail -n 20 "$work/dockerd.log"; wrong "the daemon does not start"; }
    docker info
}

base_image() {
    docker image inspect "$BASE" >/dev/null && return
    timeout $PULL_S_MAX docker pull -q "$BASE" && return
    bash docker/local-base-image.sh "$BASE"
}

# --- the house --------------------------------------------------------------------------------

setting() { sed -n "s/^PAYRAIL_$1=//p" .env; }
change() { sed -i "s|^PAYRAIL_$1=.*|PAYRAIL_$1=$2|" .env; }

free_ports() {
    python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(one.getsockname()[1] for one in held))'
}

copy_sources() {
    mkdir "$work/house"
    cp -R docker docker-compose.yml .dockerignore .env pyproject.toml requirements.lock README.md \
        LICENSE payrail actors "$work/house"
    cd "$work/house"
    mkdir data mailboxes
    local ports
    read -ra ports < <(free_ports)
    change API_PORT "${ports[0]}"
    change CONSOLE_PORT "${ports[1]}"
    change VAULT_PORT "${ports[2]}"
    change PROVIDER_PORT "${ports[3]}"
    api=http://127.0.0.1:${ports[0]} console=http://127.0.0.1:${ports[1]} vault=http://127.0.0.1:${ports[2]}
}

build() {
    # Where pip on this machine looks, the build looks too; it stays out of what runs.
    local index
    index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
    [[ -z $index ]] || export PIP_INDEX_URL=$index
    compose build
}

is_ready() { curl -fsS "$api/ready"; }

ready() {
    patiently $READY_S_MAX is_ready && return
    compose ps
    compose logs --no-color --tail=15
    wrong "not ready within $READY_S_MAX s"
}

up() {
    compose up -d
    ready
}

# The container of a service; the services whose containers run.
container() {
    docker ps -aq --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

services() {
    docker ps --filter "label=com.docker.compose.project=$project" \
        --format '{{.Label "com.docker.compose.service"}}' | sort
}

inside() {
    local service=$1
    shift
    docker exec "$(container "$service")" "$@"
}

is_healthy() { [[ $(docker inspect -f '{{.State.Health.Status}}' "$(container "$1")") == healthy ]]; }

healthy() {
    local name
    for name in $(services); do
        patiently $READY_S_MAX is_healthy "$name" || wrong "$name is not healthy"
    done
}

nobody_is_root() {
    local name
    for name in $(services); do
        [[ $(inside "$name" id -u) == 10001 ]] || wrong "$name runs as another user"
        docker inspect "$(container "$name")" | jq -e '.[0]
            | .HostConfig.ReadonlyRootfs and .HostConfig.CapDrop == ["ALL"]
            and ([.NetworkSettings.Ports[]? // [] | .[].HostIp] | all(. == "127.0.0.1"))' ||
            wrong "$name has more than it needs"
    done
}

# The files of the vault that a container sees.
seen_by() { inside "$1" find data/vault data/secrets/vault -type f -printf '%f ' 2>/dev/null || true; }

secrets_stay() {
    local name seen
    for name in $(services); do
        seen=$(seen_by "$name")
        echo "$name: $seen"
        case $name in
            vault) [[ $seen == *keys.json*fingerprint* ]] ;;
            frontdoor) [[ $seen == "access_log.jsonl " ]] ;;
            *) [[ -z $seen ]] ;;
        esac || wrong "$name sees $seen"
    done
    if inside frontdoor sh -c 'echo >>data/vault/access_log.jsonl'; then wrong "the front door writes"; fi
}

# --- payments ---------------------------------------------------------------------------------

payrail() { inside frontdoor payrail "$@"; }

seed() { compose run --rm -T seed seed --payments 50 --days 0; }

documents() {
    curl -fsS "$api/openapi.json" | jq -e '.paths["/payment-intents"].post' >/dev/null
    curl -fsS "$api/docs" | grep -i '<html'
}

tokenize() {
    payrail keys demo --json >"$work/keys.json"
    curl -fsS "$vault/tokenize" -H "Authorization: Bearer $(jq -r .m_001.publishable "$work/keys.json")" \
        -H 'Content-Type: application/json' \
        -d '{"number":"'$PAN'","exp_month":12,"exp_year":2034,"cvc":"123"}' | jq -er .token >"$work/token"
}

# ask KEY PATH [BODY]: the answer's body; its head is in $work/head.
ask() {
    curl -sS -D "$work/head" -X POST "$api$2" -H "Idempotency-Key: $1" ${3:+-d "$3"} \
        -H "Authorization: Bearer $(jq -r .m_001.admin "$work/keys.json")" \
        -H 'Content-Type: application/json' -H "X-Correlation-Id: ${correlation:-check-$1}"
}

state_of() {
    curl -sS "$api/payment-intents/$1" \
        -H "Authorization: Bearer $(jq -r .m_001.admin "$work/keys.json")" | jq -r .state
}
is_in() { [[ $(state_of "$1") == "$2" ]]; }
ends_as() { [[ $(ask "$1" "/payment-intents/$2/$3" | jq -r .state) == "$4" ]]; }

order() { printf '{"amount":%d,"currency":"USD","payment_method":"%s"}' "$1" "$(<"$work/token")"; }
create() { ask "$1" /payment-intents "$(order 1099)" | jq -er .id; }

pay() {
    local id booked charged
    tokenize
    id=$(create first)
    echo "$id" >"$work/payment"
    ask first-authorize "/payment-intents/$id/authorize" >"$work/authorized"
    jq -e '.state == "authorized"' "$work/authorized"
    ends_as first-capture "$id" capture captured
    booked=$(jq -r --arg id "$id" \
        'select(.ref == $id and .type == "payment.attempt_started") | .timestamp' data/ledger/payments.jsonl)
    charged=$(cat data/providers/*_truth.jsonl |
        jq -r --arg id "$id" 'select(.reference == $id + ".1") | .at')
    echo "ledger $booked, provider $charged"
    [[ -n $booked && -n $charged && ! $booked > $charged ]]
}

same_answer() {
    local id charges
    id=$(<"$work/payment")
    ask first-authorize "/payment-intents/$id/authorize" | cmp - "$work/authorized"
    grep -i '^Idempotent-Replayed: true' "$work/head"
    ask first /payment-intents "$(order 1100)" | jq -e '.code == "idempotency-key-reused"'
    charges=$(cat data/providers/*_truth.jsonl | jq -r --arg id "$id" \
        'select(.operation == "authorize" and (.reference | startswith($id))) | .reference' | wc -l)
    [[ $charges == 1 ]] || wrong "$charges charges"
}

is_open() { jq -e '.breaker.state == "OPEN"' data/providers/providerA_state.json; }

failover() {
    local n id
    payrail providers inject provider-a '{"operation":"*","do":"down"}'
    for n in 1 2 3 4 5 6 7 8; do
        id=$(create "down-$n")
        ask "down-$n-authorize" "/payment-intents/$id/authorize" |
            jq -ce 'if .state == "authorized" and .provider == "providerB" then .attempts else error end'
    done
    patiently 10 is_open || wrong "the breaker is not open"
    payrail providers clear provider-a
}

no_card_in_files() {
    if grep -rlF $PAN data mailboxes; then wrong "a card number in a file"; fi
    if compose logs --no-color | grep -F $PAN; then wrong "a card number in what a container printed"; fi
}

# A notice that is ahead of its reply; on a busy machine the reply may overtake it all the same.
# What a notice did stands in the gateway's journal.
webhook() {
    local id n provider changed=""
    curl -fsS "$api/openapi.json" | jq -e '.paths["/webhooks/provider"]' >/dev/null || skip "no such route yet"
    for provider in provider-a provider-b; do
        payrail providers inject $provider '{"operation":"webhook","do":"early_webhook"}'
    done
    for n in 1 2 3 4 5 6 7 8; do
        id=$(create "webhook-$n")
        ends_as "webhook-$n-authorize" "$id" authorize authorized || state_of "$id"
        changed=$(jq -c --arg id "$id" 'select(.in.kind == "provider.notice" and .in.line.key == $id)
            | .books[].line.type' data/actors/gateway/journal.jsonl)
        echo "webhook-$n: $changed"
        [[ $changed != *payment.authorized* ]] || break
    done
    payrail providers clear provider-a
    payrail providers clear provider-b
    is_in "$id" authorized
    [[ $changed == *payment.authorized* ]] || wrong "no notice changed a payment"
}

settlement() {
    payrail settle --help >/dev/null 2>&1 || skip "no payrail settle yet"
    payrail settle
    payrail reconcile
    ls data/settlement/settlement_*.csv
    jq -e '.counts.matched > 0' data/reconciliation/reconciliation_report.json
    is_in "$(<"$work/payment")" settled
}

console_answers() {
    [[ -n $(container console) ]] || skip "no console yet"
    patiently 60 curl -fsS "$console/health"
    curl -fsSL "$console/" | grep -i '<html'
}

one_correlation() {
    local id file provider correlation=check_everywhere
    id=$(create trail)
    ends_as trail-authorize "$id" authorize authorized
    provider=$(jq -r --arg id "$id" 'select(.ref == $id and .type == "payment.authorized")
        | .data.provider' data/ledger/payments.jsonl | sed 's/providerA/provider-a/; s/providerB/provider-b/')
    for file in data/logs/{frontdoor,gateway,vault,"$provider"}.jsonl data/ledger/payments.jsonl \
        data/outbox/events.jsonl data/vault/access_log.jsonl mailboxes/gateway/frontdoor.jsonl \
        mailboxes/vault/gateway.jsonl "mailboxes/$provider/vault.jsonl"; do
        patiently 5 grep -q $correlation "$file" || wrong "not in $file"
    done
}

# --- trouble ----------------------------------------------------------------------------------

restarts() { docker inspect -f '{{.RestartCount}}' "$(container "$1")"; }
restarted_since() { (($(restarts "$1") > $2)); }

killed() {
    local id before
    id=$(create killed)
    before=$(restarts gateway)
    inside gateway sh -c 'kill -9 -1' || true
    is_in "$id" created # The front door reads the books meanwhile.
    patiently $READY_S_MAX restarted_since gateway "$before" || wrong "the container stayed down"
    patiently $READY_S_MAX ends_as killed-authorize "$id" authorize authorized || wrong "it does not pay"
    ready
    ends_as first-authorize "$(<"$work/payment")" authorize authorized
}

is_titled() { curl -fsS "$api/openapi.json" | jq -e --arg title "$1" '.info.title == $title'; }

reload() {
    compose_files+=(-f docker/compose.reload.yml)
    compose up -d
    ready
    sed -i 's/^TITLE = .*/TITLE = "Edited while it runs"/' actors/frontdoor/app.py
    patiently $READY_S_MAX is_titled "Edited while it runs" || { compose logs --no-color --tail=5; wrong "it is not"; }
    ready
}

whole() { compose run --rm -T books verify; }

ends_in_time() {
    local began=$SECONDS name names
    names=$(services)
    compose stop
    ((SECONDS - began <= END_S_MAX)) || wrong "it took $((SECONDS - began)) s"
    for name in $names; do
        [[ $(docker inspect -f '{{.State.ExitCode}}' "$(container "$name")") == 0 ]] ||
            wrong "$name ended with another code than 0"
    done
}

must "engine and compose" engine
must "base image $BASE" base_image
copy_sources
must "build" build
must "up, and /ready is 200" up
step "every container is healthy" healthy
step "nobody is root, nothing can be written but the mounts, ports on loopback only" nobody_is_root
step "keys, cards, tokens in the vault only; the front door reads the access log" secrets_stay
step "seed pays" seed
step "/openapi.json and /docs" documents
step "create, authorize, capture; in the ledger before the provider saw it" pay
step "the same key, the same answer; another body 422; one charge" same_answer
step "provider A fails: B takes over, the breaker opens" failover
step "a provider's webhook changes a payment's state" webhook
step "settlement and report" settlement
step "the console answers" console_answers
step "one correlation id in all logs, books and mailboxes" one_correlation
step "a container killed, and back; nothing lost" killed
step "an edited source is at work" reload
step "no card number in any file or output" no_card_in_files
step "every file is whole" whole
step "SIGTERM ends all of it in time" ends_in_time
exit $failed
