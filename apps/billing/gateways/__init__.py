"""Payment gateways: the wire only. What an answer means for money is decided
by the operations."""
