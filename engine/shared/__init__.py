"""What every room stands on: errors for people, data files read strictly, columns, intervals of a share."""
