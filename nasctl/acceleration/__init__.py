"""Ways to run the same steps faster."""
