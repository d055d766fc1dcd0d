"""What made a file: its rule, the rule's script, and the modules and tests behind them."""
