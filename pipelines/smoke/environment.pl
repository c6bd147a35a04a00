# environment.pl FILE COMMAND…: becomes the command, with the variables of the file in
# its environment: NAME=VALUE, each with a NUL at its end. A shell can't export names
# that have a dot.
use strict;

my $file = shift @ARGV;
open(my $variables, "<", $file) or die "reading $file: $!\n";
local $/ = "\0";
while (my $word = <$variables>) {
	chomp $word;
	my ($name, $value) = split(/=/, $word, 2);
	$ENV{$name} = $value;
}
exec { $ARGV[0] } @ARGV or die "starting $ARGV[0]: $!\n";
