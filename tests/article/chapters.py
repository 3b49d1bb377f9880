"""The code of the article, chapter by chapter, as it is printed there.

`BEFORE` is what a chapter takes for granted; `AFTER` goes on from where its code ends. Run by `driver.py`.
"""

PRINTED = {
    "3 philosophy": """
x = Dense(32)(input_tensor)
""",
    "5.1 first model": """
from tensorflow.keras.layers import Input, Dense
from tensorflow.keras.models import Model
inputs = Input(shape=(784,))
x = Dense(64, activation='relu')(inputs)
x = Dense(64, activation='relu')(x)
outputs = Dense(10, activation='softmax')(x)
model = Model(inputs, outputs)
""",
    "6.1 two inputs": """
numeric_input = Input(shape=(32,))
image_input = Input(shape=(64, 64, 3))
x1 = Dense(64, activation='relu')(numeric_input)
x2 = Dense(64, activation='relu')(image_input)
from tensorflow.keras.layers import concatenate
merged = concatenate([x1, x2])
output = Dense(1, activation='sigmoid')(merged)
model = Model(inputs=[numeric_input, image_input], outputs=output)
""",
    "7.1 two outputs": """
inputs = Input(shape=(128,))
x = Dense(64, activation='relu')(inputs)
output1 = Dense(1, name="regression_output")(x)
output2 = Dense(10, activation='softmax', name="classification_output")(x)
model = Model(inputs, outputs=[output1, output2])
""",
    "8.1 skip connection": """
inputs = Input(shape=(128,))
x = Dense(64, activation='relu')(inputs)
skip = x
x = Dense(64, activation='relu')(x)
x = concatenate([x, skip]) # Skip connection
""",
    "9.1 shared layer": """
shared_dense = Dense(64, activation='relu')
input_a = Input(shape=(128,))
input_b = Input(shape=(128,))
processed_a = shared_dense(input_a)
processed_b = shared_dense(input_b)
""",
    "10 branches": """
x = Dense(32)(inputs)
branch1 = Dense(16)(x)
branch2 = Dense(16)(x)
merged = concatenate([branch1, branch2])
""",
    "12 picture": """
from tensorflow.keras.utils import plot_model
plot_model(model, show_shapes=True)
""",
    "14.1 submodel": """
encoder = Model(inputs, encoded_output)
""",
}

IMPORTS = """
import numpy as np
from tensorflow.keras.layers import Input, Dense, concatenate
from tensorflow.keras.models import Model
rng = np.random.default_rng(0)
"""

BEFORE = {
    "3 philosophy": "input_tensor = Input(shape=(16,))",
    "10 branches": "inputs = Input(shape=(24,))",
    "12 picture": "inputs = Input(shape=(24,)); model = Model(inputs, Dense(2)(Dense(8)(inputs)))",
    "14.1 submodel": "inputs = Input(shape=(24,)); encoded_output = Dense(4, activation='relu')(inputs)",
}

AFTER = {
    "3 philosophy": """
assert x.shape == (None, 32)
assert Model(input_tensor, x)(np.ones((2, 16))).shape == (2, 32)
""",
    "5.1 first model": """
import numpy as np
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
images, labels = np.random.rand(64, 784), np.arange(64) % 10
history = model.fit(images, labels, epochs=25, verbose=0)
assert history.history['loss'][-1] < 0.9 * history.history['loss'][0]
assert model.predict(images, verbose=0).shape == (64, 10)
""",
    "7.1 two outputs": """
model.compile(
    optimizer='adam',
    loss={'regression_output': 'mse', 'classification_output': 'sparse_categorical_crossentropy'},
    loss_weights={'regression_output': 0.5, 'classification_output': 1.0},
    metrics={'classification_output': 'accuracy'},
)
x, y1, y2 = rng.normal(size=(64, 128)), rng.normal(size=(64, 1)), np.arange(64) % 10
history = model.fit(x, [y1, y2], epochs=3, verbose=0).history
assert history['loss'][-1] < history['loss'][0]
assert 'regression_output_loss' in history and 'classification_output_accuracy' in history
""",
    "8.1 skip connection": """
assert x.shape == (None, 128)
out = Model(inputs, x)(np.ones((2, 128)))
assert out.shape == (2, 128)
""",
    "9.1 shared layer": """
model = Model([input_a, input_b], [processed_a, processed_b])
assert model.count_params() == 128 * 64 + 64
data = rng.normal(size=(3, 128))
a, b = model.predict([data, data], verbose=0)
assert (a == b).all()
""",
    "10 branches": """
assert merged.shape == (None, 32)
assert Model(inputs, merged)(np.ones((2, 24))).shape == (2, 32)
""",
    "12 picture": """
import pathlib
assert any(file.stat().st_size > 1000 for file in pathlib.Path('.').glob('model.*'))
""",
    "14.1 submodel": """
decoder_input = Input(shape=(4,))
decoder = Model(decoder_input, Dense(24)(decoder_input))
autoencoder = Model(inputs, decoder(encoder(inputs)))
autoencoder.compile(optimizer='adam', loss='mse')
data = rng.normal(size=(64, 24))
history = autoencoder.fit(data, data, epochs=3, verbose=0).history
assert history['loss'][-1] < history['loss'][0]
assert encoder.predict(data, verbose=0).shape == (64, 4)
""",
}

# 6.1 cannot work as it is printed: it merges rank 2 with rank 4. These are the two mends that the error proposes.
MENDED = {
    mend: PRINTED["6.1 two inputs"].replace("(image_input)", f"(image_input)\nx2 = {mend}()(x2)", 1)
    for mend in ("Flatten", "GlobalAveragePooling2D")
}
TRAIN_MENDED = """
model.compile(optimizer='adam', loss='binary_crossentropy')
numbers, images = rng.normal(size=(8, 32)), rng.normal(size=(8, 64, 64, 3))
history = model.fit([numbers, images], np.arange(8) % 2, epochs=3, verbose=0).history
assert history['loss'][-1] < history['loss'][0]
"""
