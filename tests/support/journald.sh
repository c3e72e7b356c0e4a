#!/usr/bin/env bash
# A real journald that keeps its files below FOLDER, in a mount namespace where that is /run, and
# nobody, who writes lines for sshd to it by three ways; each stays until FOLDER/done is there.
#
#   unshare --mount --propagation private journald.sh FOLDER MARK   FOLDER/log/journal has what he says
set -euo pipefail
folder=$1 mark=$2
chmod 0755 "$folder"
mount --bind "$folder" /run
mkdir -p /run/log/journal /run/systemd/journal /run/systemd/journald.conf.d
# Nothing of the host's: no file elsewhere, no message of the kernel, its audit as it is.
printf '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=\n' > /run/systemd/journald.conf.d/test.conf
/lib/systemd/systemd-journald &
journald=$!
trap 'kill $journald 2> /dev/null || true' EXIT
socket=/run/systemd/journal/dev-log
for _ in {1..600}; do
  [ -S "$socket" ] && break
  sleep 0.1
done
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
# A login that never was, from an address that says which way it came.
lines() {
  echo "Accepted password for $mark from 203.0.113.$1 port 9 ssh2"
  for ((left = 900; left > 0; left--)); do
    [ -e /run/done ] && break
    sleep 0.1
  done
}
lines 1 | nobody logger -u "$socket" -t sshd &
ways=$!
# By a program that lies where the server's does, with all rights: in a user namespace of his own.
# shellcheck disable=SC2016
lines 2 | nobody unshare --user --map-root-user --mount sh -c \
  'mount --bind /usr/bin/logger /usr/sbin/sshd && exec /usr/sbin/sshd -u "$1" -t sshd' sh "$socket" &
ways="$ways $!"
# By one that has ended when anybody looks.
nobody logger -u "$socket" -t sshd "Accepted password for $mark from 203.0.113.3 port 9 ssh2"
# shellcheck disable=SC2086
wait $ways
