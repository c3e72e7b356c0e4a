#!/usr/bin/env bash
# Real logins to a real sshd on loopback, and real sudo, su and logger, in a mount namespace whose
# /dev/log is a syslog daemon of the test.
#
#   unshare --mount --propagation private logins.sh FOLDER PORT MARK   FOLDER/auth.log has what they say
set -euo pipefail
folder=$1 port=$2 mark=$3
here=$(dirname "$(realpath "$0")")

mkdir "$folder/dev"
mount -t tmpfs logins "$folder/dev"
mkdir "$folder/dev/upper" "$folder/dev/work" "$folder/dev/pts"
mount --bind /dev/pts "$folder/dev/pts"
mount -t overlay logins -o "lowerdir=/dev,upperdir=$folder/dev/upper,workdir=$folder/dev/work" /dev
mount --bind "$folder/dev/pts" /dev/pts
exec 3< <(exec perl "$here/syslog.pl" /dev/log "$folder/auth.log")
syslog=$! sshd=
trap 'kill $syslog $sshd 2> /dev/null || true' EXIT
read -r -u 3 _ready

ssh-keygen -q -t ed25519 -N "" -f "$folder/host_key"
ssh-keygen -q -t ed25519 -N "" -f "$folder/key"
cat > "$folder/sshd.conf" <<CONF
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host_key
AuthorizedKeysFile $folder/key.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
CONF
mkdir -p /run/sshd
/usr/sbin/sshd -D -f "$folder/sshd.conf" &
sshd=$!
login() {
  ssh -F none -p "$port" -i "$folder/key" -o IdentitiesOnly=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -l "$1" \
    127.0.0.1 true
}
for _ in {1..300}; do
  login root && break
  sleep 0.1
done
# Nobody of this host, with a name that says it is somebody else from somewhere else.
login "$mark from 203.0.113.66 port 22 ssh2" || true
# Somebody who typed a password for a name.
login "Correct.Horse9$mark" || true
sudo -n /bin/echo "$mark" > /dev/null
su nobody -s /bin/sh -c "exit 0"
# Somebody at a terminal, with a wrong password: it is asked for, and the name then once more.
coproc script -q -c "/usr/bin/login -h 192.0.2.77 nobody" /dev/null
read -r -d : -t 60 -u "${COPROC[0]}" _
echo "$mark" >&"${COPROC[1]}"
read -r -d : -t 60 -u "${COPROC[0]}" _
kill "$COPROC_PID"
# A line that says what it likes, by a program that stays until its reader has seen it.
perl -MSys::Syslog -e '
  openlog("sshd", "pid", "auth");
  syslog("info", "Accepted password for $ARGV[0] from 203.0.113.67 port 9 ssh2");
  for (my $left = 900; $left > 0 && !-e $ARGV[1]; $left--) { select undef, undef, undef, 0.1 }
' "$mark" "$folder/done"
logger END-OF-TEST
