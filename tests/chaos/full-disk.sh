#!/usr/bin/env bash
# Fill the disk under a house: what it cannot write down it does not accept; what it accepted is
# there when there is room again, and the same key then has its one answer.
#
#   sudo tests/chaos/full-disk.sh
#
# Needs root, for a small tmpfs. Settings and other needs: see house.sh.
[[ $(id -u) -eq 0 ]] || { echo "only root may mount a small disk" >&2 && exit 77; }
# shellcheck source-path=SCRIPTDIR source=house.sh
source "$(dirname "${BASH_SOURCE[0]}")/house.sh"

DISK=$WORK/disk
# shellcheck disable=SC2317 # Called at the end by house.sh.
cleared() { umount "$DISK" 2>/dev/null || true; }
mkdir "$DISK"
mount -t tmpfs -o size=64m,mode=700 payrail-full-disk "$DISK" || { echo "no tmpfs here" >&2 && exit 77; }
export PAYRAIL_HOME=$DISK/home
BOOK=$PAYRAIL_HOME/data/ledger/payments.jsonl
mkdir "$PAYRAIL_HOME"

all_serve() { "$PAYRAIL" ps --json | jq -r 'all(.[]; .state == "serving")'; }

start_house
card=$(token card)
before=$(final before "$API/payment-intents" "$(order "$card")" | jq -r .id)

dd if=/dev/zero of="$DISK/filler" bs=4096 2>/dev/null || true # Ends when no page is left.
echo "the disk is full: $(df -h --output=avail "$DISK" | tail -1 | xargs) left"
accepted=0
for number in $(seq 8); do
    status=$(once "full$number" "$API/payment-intents" "$(order "$card")")
    echo "    a payment: $status"
    [[ $status == 20[01] ]] && accepted=$((accepted + 1)) && jq -r .id "$WORK/full$number.json" >>"$WORK/accepted"
done
rm "$DISK/filler"
echo "there is room again"

until=$((SECONDS + READY_S_MAX))
until [[ $(all_serve) == true ]] || ((SECONDS > until)); do
    for actor in $("$PAYRAIL" ps --json | jq -r '.[] | select(.state == "held") | .name'); do
        echo "    $actor has lost its trust in the disk, and is released" && "$PAYRAIL" release "$actor"
    done
    sleep 0.5
done
check "every actor serves again" true "$(all_serve)"
check "the payment from before is captured" captured \
    "$(curl -s "$API/payment-intents/$before" -H "Authorization: Bearer $SECRET" | jq -r .state)"
for number in $(seq 8); do
    id=$(final "full$number" "$API/payment-intents" "$(order "$card")" | jq -r .id)
    echo "$id" >>"$WORK/ids"
    check "payment $id is in the book once, and charged once" "1 1" "$(booked payment.created "$id") $(charged "$id")"
done
check "eight keys are eight payments" 8 "$(sort -u "$WORK/ids" | wc -l)"
if ((accepted)); then
    check "what was accepted on the full disk is the same payment" 0 \
        "$(sort "$WORK/accepted" | comm -23 - <(sort "$WORK/ids") | wc -l)"
fi
end
