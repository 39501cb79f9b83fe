"""The six steps of the way of one video; each may run twice or die in the middle."""
