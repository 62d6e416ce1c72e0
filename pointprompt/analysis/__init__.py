"""Features -> what clicks need, once a set: the joint cut, codes, colours, and their record.

cut.py       features of all images to joint eigenvectors
codes.py     features and eigenvectors to 32 numbers a token
colors.py    eigenvectors to the colour view
"""
