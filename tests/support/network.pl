# Harmless traffic of a network namespace of its own. Nothing leaves it.
#
#   network.pl serve ADDRESS BYTES   listens, connects to itself from ADDRESS and sends so many bytes
#   network.pl ask NAME              asks 127.0.0.77 for NAME, is given 203.0.113.7, connects to it
use strict;
use warnings;
use IO::Socket::INET;

my ($verb, $first, $bytes) = @ARGV;
my $address = '203.0.113.7';

sub serve {
  my $server = IO::Socket::INET->new(LocalAddr => $first, Listen => 1) or die "no server: $!";
  if (!fork) {
    my $client = IO::Socket::INET->new(
      PeerAddr => $first, PeerPort => $server->sockport, LocalAddr => $first
    ) or die "no client: $!";
    my $block = "\0" x (1 << 20);
    for (my $left = $bytes; $left > 0; $left -= length $block) {
      $block = substr($block, 0, $left) if $left < length $block;
      print {$client} $block;
    }
    close $client;
    exit 0;
  }
  my $client = $server->accept or die "nobody came: $!";
  my $block;
  1 while sysread $client, $block, 1 << 20;
  close $client;
  wait;
}

sub answer {
  my ($server) = @_;
  my $question;
  my $from = recv($server, $question, 512, 0);
  # The question again, as an answer with one address.
  substr($question, 2, 2) = "\x81\x80";
  substr($question, 6, 2) = "\0\1";
  my $record = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" . inet_aton($address);
  send($server, $question . $record, 0, $from);
}

sub ask {
  my $server = IO::Socket::INET->new(
    LocalAddr => '127.0.0.77', LocalPort => 53, Proto => 'udp'
  ) or die "no name server: $!";
  if (!fork) {
    answer($server);
    exit 0;
  }
  my $asker = IO::Socket::INET->new(
    PeerAddr => '127.0.0.77', PeerPort => 53, Proto => 'udp'
  ) or die "nobody to ask: $!";
  my $name = join '', map { chr(length) . $_ } split /\./, $first;
  send $asker, "\x12\x34\1\0\0\1\0\0\0\0\0\0$name\0\0\1\0\1", 0;
  recv $asker, my $given, 512, 0;
  wait;
  # Nobody listens there; the asking is what counts.
  IO::Socket::INET->new(PeerAddr => $address, PeerPort => 443, Timeout => 2);
}

$verb eq 'serve' ? serve() : ask();
