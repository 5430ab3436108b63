"""``make cost``: what the environments cost a month, from Terraform's plan, list prices and assumed usage."""
