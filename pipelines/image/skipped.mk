# The recipe of this support module skips this folder: whatever is to be made
# here is done.
all: ;
.DEFAULT:
	@:
