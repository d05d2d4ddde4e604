"""How a fitted network runs over a track: blocks, windows, transpositions, synthesis."""
