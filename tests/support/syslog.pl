# A syslog daemon with a socket and one file: what comes in goes to the file in RFC 3164's form, as
# rsyslog writes it.
#
#   syslog.pl SOCKET FILE   says "ready", and ends after a line with the word END-OF-TEST
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $file) = @ARGV;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "no socket: $!";
chmod 0666, $path;
open my $log, '>>', $file or die "no log: $!";
# Nobody waits for longer.
alarm 300;
$log->autoflush(1);
STDOUT->autoflush(1);
print "ready\n";
while (defined $socket->recv(my $line, 1 << 16)) {
  $line =~ s/[\0\n]+$//;
  # Control characters as rsyslog writes them.
  $line =~ s/([\x00-\x1f])/sprintf '#%03o', ord $1/ge;
  $line =~ s/^(?:<\d+>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) /$1 testhost /;
  print $log "$line\n";
  last if $line =~ /END-OF-TEST/;
}
