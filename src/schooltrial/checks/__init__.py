"""What a sceptical reviewer asks first: the draw, the balance, the losses."""
