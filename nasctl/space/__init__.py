"""Search spaces: which architectures exist, how one becomes a network, and their supernets."""
