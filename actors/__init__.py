"""The actors, one package each; none imports another. `wiring` joins them."""
