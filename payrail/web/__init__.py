"""HTTP plumbing over aiohttp: problems, bodies, correlation, keys."""
