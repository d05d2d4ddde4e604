"""BSS Eval: distortions told apart by projections onto the filtered sources."""
