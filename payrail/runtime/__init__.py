"""What keeps an actor alive: the loop without I/O, its drivers, cells, bells and the supervisor."""
