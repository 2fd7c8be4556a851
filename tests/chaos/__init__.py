"""A real house under real kills: clients that never give up, a killer, an auditor at the end."""
