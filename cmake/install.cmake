# The install rules stand here.
