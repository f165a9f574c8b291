"""Data sets: images on the device, their splits, their loss and their measure."""
