"""Pure decisions: which proofs are believed, who is let in, what applications get."""
