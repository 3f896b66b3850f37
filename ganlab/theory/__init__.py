"""Mathematics only: divergences, densities on the line, and the game played with functions. No torch in here."""
