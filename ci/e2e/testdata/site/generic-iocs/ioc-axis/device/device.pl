# device.pl PORT: a device that sends its calibration table to whoever connects.
use strict;
use warnings;
use IO::Socket::INET;

my $device = IO::Socket::INET->new(
	LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1,
) or die "no device: $!\n";
while (my $client = $device->accept) {
	print $client "10 100\n20 200\n";
	close $client;
}
