"""What is this file, and how would it be read? A look at anyone's export that ends in a mapping and open questions."""
