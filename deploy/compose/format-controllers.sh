#!/bin/sh
# Prepares the folders of a new cluster's controllers, /controllers/1 to /controllers/3, and does so
# only while all of them are new. A controller whose volume was lost must not start with an empty
# one: it may have voted, and two that forgot would agree with each other on an empty cluster.
#
# "new" is written before the first folder is prepared and goes away after the last, so that a run
# that was cut off is taken up again. No controller starts before this script has ended well.
set -eu
cd /controllers

missing= used=
for id in 1 2 3; do
  if [ ! -e "$id/metadata/voter.mark" ]; then
    missing="$missing $id"
  elif [ ! -e "$id/new" ]; then
    used="$used $id"
  fi
done
if [ -n "$missing" ] && [ -n "$used" ]; then
  echo "error: the volume of controller$missing is empty, but controller$used has data; start the lost one" \
    "with --join and make it a voter again with 'ottla quorum remove-voter' and 'add-voter'" \
    "(deploy/README.md), or delete all volumes with 'docker compose down -v'" >&2
  exit 1
fi
for id in $missing; do touch "$id/new"; done
for id in $missing; do
  OTTLA_NODE_ID=$((100 + id)) OTTLA_METADATA_LOG_DIR=/controllers/$id/metadata ottla-server --format
done
for id in 1 2 3; do
  rm -f "$id/new"
  chown -R 10001:10001 "$id"
done
