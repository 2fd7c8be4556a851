"""The console: pages about the house, made out of the public API alone; decides nothing."""
