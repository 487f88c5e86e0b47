"""The program that makes the picture model that ships: data, training, evaluation, export."""
