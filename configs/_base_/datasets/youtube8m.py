# YouTube-8M's frame-level features: Inception at 1 frame a second, 3862 classes. 15 %
# of the videos are held out, as in the paper; here they are files of the training part.
num_classes = 3862
files = dict(
    type='YouTube8MDataset',
    files='{{$FLOWZOO_DATA:data}}/youtube8m/frame/train*.tfrecord',
    num_classes=num_classes)

train_data = dict(held_out=False, **files)
val_data = dict(held_out=True, **files)
test_data = val_data
