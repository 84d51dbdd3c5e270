"""How the model is trained: `make train`. Not part of the image, and neither are the packages that it needs."""
