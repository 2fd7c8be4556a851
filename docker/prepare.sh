#!/bin/sh
# Give the house's folders to the user it runs as, and make those that one actor alone may see.
# Runs as root in a container of its own, without a network, and ends before anything else starts.
set -eu
owner=${PAYRAIL_OWNER:-10001:10001}
home=${PAYRAIL_HOME:-/srv/payrail}
cd "$home"

# The places over which the other containers have an empty folder: made here, or the engine
# would make them as root.
mkdir -p data/vault data/actors data/secrets data/logs mailboxes/dlq
chmod 0700 data/secrets
for actor in vault provider-a provider-b gateway; do
    mkdir -p -m 0700 "data/secrets/$actor"
done
# The front door is given this one file of the vault's folder, so it has to be there.
[ -e data/vault/access_log.jsonl ] || : >data/vault/access_log.jsonl

# Others may be running by now, so nothing is taken away. Bells hang in /run/payrail.
find data mailboxes /run/payrail ! -user "${owner%:*}" -exec chown -h "$owner" {} +
