"""Pure rules of the network: texts that people type, addresses, effects."""
