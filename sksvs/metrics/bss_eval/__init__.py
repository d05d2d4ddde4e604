"""BSS Eval: scores of separated sources, by projections onto the filtered references."""
