#!/usr/bin/perl
# A service on the standard library.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(LocalPort => $ENV{PORT} || 8080, Listen => 8, ReuseAddr => 1) or die $!;
while (my $client = $server->accept) {
    my $request = <$client>;
    print $client "HTTP/1.0 200 OK\r\n\r\nhello from perl\n";
    close $client;
}
