#!/usr/bin/env bash
# Stop a provider for longer than its supervisor bears: it is taken for hung, killed and started
# again, and the payment it had in its hands ends once, under its one key.
#
#   tests/chaos/pause-provider.sh
#
# Settings and needs: see house.sh.
# shellcheck source-path=SCRIPTDIR source=house.sh
source "$(dirname "${BASH_SOURCE[0]}")/house.sh"

start_house
card=$(token card)
pid=$(field provider-a pid) epoch=$(field provider-a epoch)
echo "provider-a (process $pid, epoch $epoch) is stopped while a payment is on its way"
kill -STOP "$pid"
status=$(once paid "$API/payment-intents" "$(order "$card")")
check "the client has an answer meanwhile, in doubt or from elsewhere" yes \
    "$([[ $status == 202 || $status == 201 ]] && echo yes || echo "$status")"
check "the supervisor has started it anew" yes "$(serves provider-a "$epoch" && echo yes)"
kill -CONT "$pid" 2>/dev/null || true # What was stopped has been killed: nobody is woken.
check "it is another process" no "$([[ $(field provider-a pid) == "$pid" ]] && echo yes || echo no)"

final paid "$API/payment-intents" "$(order "$card")" >/dev/null || true
id=$(jq -r '.id // .payment_intent.id // .payment_intent' "$WORK/paid.json")
state=$(curl -s "$API/payment-intents/$id" -H "Authorization: Bearer $SECRET" | jq -r .state)
echo "payment $id is $state"
check "the book has it once" 1 "$(booked payment.created "$id")"
check "it is charged once, or not at all when it was declined" \
    "$([[ $state == captured ]] && echo 1 || echo 0)" "$(charged "$id")"
final other "$API/payment-intents" "$(order "$card")" >/dev/null
check "the next payment is taken" captured "$(jq -r .state "$WORK/other.json")"
end
