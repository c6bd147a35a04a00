# Brings up a network that leads nowhere, with ioctl: Debian's slim images have
# perl, and no program that does it. Beside the loopback there is a bridge without
# ports, because a pvAccess server wants an interface that can broadcast. It has
# the addresses that the IOC is to be bound to, and one for documentation (RFC 5737).
use strict;

my ($up, $address, $netmask, $bridge) = (0x8914, 0x8916, 0x891c, 0x89a0);    # SIOCSIFFLAGS and its like
socket(my $socket, 2, 2, 0) or die "no socket: $!\n";

sub set {
	my ($request, $argument) = @_;
	ioctl($socket, $request, $argument) or die "the boot's network: $!\n";
}

set($up, pack("Z16s x22", "lo", 0x41));    # IFF_UP, IFF_RUNNING
set($bridge, pack("Z16", "nowhere"));
my @addresses = ("192.0.2.1");
for my $list (@ENV{qw(EPICS_CAS_INTF_ADDR_LIST EPICS_PVAS_INTF_ADDR_LIST)}) {
	push @addresses, grep { !/^(127|0)\./ } ($list // "") =~ /\b(\d+\.\d+\.\d+\.\d+)\b/g;
}
my $n = 0;
for my $one (@addresses) {
	my $name = $n++ ? "nowhere:$n" : "nowhere";
	set($address, pack("Z16 S n C4 x16", $name, 2, 0, split(/\./, $one)));
	set($netmask, pack("Z16 S n C4 x16", $name, 2, 0, 255, 255, 255, 0));
}
set($up, pack("Z16s x22", "nowhere", 0x41));
