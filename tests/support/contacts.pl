# Harmless sockets of this host. Nothing leaves it: a datagram socket that connects sends nothing,
# and those that send are told addresses of the host alone.
#
#   contacts.pl to TIMES ADDRESS PORT ...            connects TIMES times to each of them in turn
#   contacts.pl send PORT ADDRESS PORT ...           sends to each, from that port (0: any), unconnected
#   contacts.pl resend ADDRESS PORT                  sends by one socket, once a line that it is given
#   contacts.pl bind ADDRESS PORT ...                binds to each
#   contacts.pl serve PORT FROM ...                  listens on 127.0.0.1, is connected to from each
use strict;
use warnings;
use Socket qw(:DEFAULT AF_INET6 inet_pton pack_sockaddr_in6);

sub end_of {
  my ($address, $port) = @_;
  return (AF_INET, pack_sockaddr_in($port, inet_aton($address))) if $address !~ /:/;
  return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)));
}

sub datagram {
  my ($family, $end, $how) = @_;
  socket(my $socket, $family, SOCK_DGRAM, 0) or die "no socket: $!";
  $how->($socket, $end) or die "refused: $!";
}

my ($verb, @rest) = @ARGV;
if ($verb eq 'to') {
  my $times = shift @rest;
  my @ends;
  push @ends, [end_of(splice @rest, 0, 2)] while @rest;
  for (1 .. $times) {
    datagram(@$_, sub { connect $_[0], $_[1] }) for @ends;
  }
} elsif ($verb eq 'send') {
  my $port = shift @rest;
  while (@rest) {
    my ($family, $end) = end_of(splice @rest, 0, 2);
    my (undef, $own) = end_of($family == AF_INET ? '127.0.0.1' : '::', $port);
    socket(my $socket, $family, SOCK_DGRAM, 0) or die "no socket: $!";
    $port == 0 or bind($socket, $own) or die "cannot bind: $!";
    send($socket, 'x', 0, $end) or die "cannot send: $!";
  }
} elsif ($verb eq 'resend') {
  my ($family, $end) = end_of(@rest);
  socket(my $socket, $family, SOCK_DGRAM, 0) or die "no socket: $!";
  $| = 1;
  while (<STDIN>) {
    send($socket, 'x', 0, $end) or die "cannot send: $!";
    print;
  }
} elsif ($verb eq 'bind') {
  datagram(end_of(splice @rest, 0, 2), sub { bind $_[0], $_[1] }) while @rest;
} else {
  my $port = shift @rest;
  my (undef, $end) = end_of('127.0.0.1', $port);
  socket(my $server, AF_INET, SOCK_STREAM, 0) or die "no socket: $!";
  setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($server, $end) && listen($server, 8) or die "cannot listen: $!";
  for my $from (@rest) {
    socket(my $client, AF_INET, SOCK_STREAM, 0) or die "no socket: $!";
    my (undef, $own) = end_of($from, 0);
    bind($client, $own) && connect($client, $end) or die "cannot connect: $!";
    accept(my $taken, $server) or die "nobody came: $!";
    close $client;
    close $taken;
  }
}
