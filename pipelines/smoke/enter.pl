# enter.pl UID:GID FOLDER [NAME=VALUE…] -- COMMAND…: becomes the command, as a user, in
# the root file system at /image. In Perl, as chroot of coreutils asks the image's own
# libraries who a user is, while it still has privileges.
use strict;
use POSIX ();

my ($user, $folder) = splice(@ARGV, 0, 2);
my ($uid, $gid) = split(/:/, $user);
chroot("/image") or die "entering the image: $!\n";
chdir($folder) or die "entering $folder of the image: $!\n";
$) = "$gid $gid";    # no group but this one
POSIX::setgid($gid) && POSIX::setuid($uid) or die "becoming user $user: $!\n";

# What a container runtime gives to an image that says nothing else.
%ENV = (PATH => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME => "/");
while (defined(my $word = shift @ARGV)) {
	last if $word eq "--";
	my ($name, $value) = split(/=/, $word, 2);
	$ENV{$name} = $value;
}
exec { $ARGV[0] } @ARGV or print STDERR "the image has no program $ARGV[0] that can be run: $!\n";
POSIX::_exit(127);
