# Generated on first use, below FLOWZOO_DATA or else in the user's cache.
num_classes = 8
train_data = dict(type='MotionShapesDataset', split='train')
val_data = dict(type='MotionShapesDataset', split='val')
test_data = dict(type='MotionShapesDataset', split='test')
