"""Zero-cost scores: what an untrained network is worth."""
