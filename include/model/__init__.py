"""What a model is: its bundle, its engines, how it scores a request, and the golden rows that verify it."""
