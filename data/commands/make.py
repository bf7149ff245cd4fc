"""Writes commands.jsonl: sentences to a home and on the road, made from the templates below; the same each time.

    python3 make.py > commands.jsonl
"""

import json
import random

SLOTS = {
    "room": ["kitchen", "living room", "bedroom", "bathroom", "hall", "garage", "attic", "guest room", "study", "cellar"],
    "device": ["lamp", "heating", "fan", "television", "coffee machine", "blinds", "radio", "dishwasher", "oven", "door lock"],
    "colour": ["red", "warm white", "blue", "green", "orange", "violet"],
    "level": ["half", "twenty percent", "full", "eighty percent", "a third", "the lowest step"],
    "temperature": ["19 degrees", "twenty one degrees", "22.5 degrees", "eighteen degrees", "65 degrees"],
    "time": ["seven", "half past six", "6:30", "noon", "a quarter to nine", "eleven tonight", "tomorrow morning", "midnight"],
    "duration": ["ten minutes", "an hour", "half an hour", "forty five minutes", "two hours"],
    "city": ["Lisbon", "Oslo", "New York", "Kyoto", "Porto Alegre", "Graz", "Cape Town", "Galway", "Tromsø", "São Paulo"],
    "date": ["on Friday", "tomorrow", "next week", "on the third of May", "this weekend", "on Monday morning"],
    "mode": ["train", "bus", "plane", "ferry", "night train", "car"],
    "people": ["two adults", "one person", "three of us", "a family of five", "four people"],
    "song": ["Blue Harbour", "The Long Field", "Nine Lanterns", "Slow River", "Paper Moons"],
}

TEMPLATES = {
    "light": [
        "turn on the {device} in the {room}",
        "switch the {device} off in the {room} please",
        "make the light in the {room} {colour}",
        "dim the {room} to {level}",
        "it is too dark in the {room}, {level} light please",
        "could you switch on the {device}?",
    ],
    "heat": [
        "set the {room} to {temperature}",
        "I want {temperature} in the {room} at {time}",
        "warm the {room} up to {temperature} for {duration}",
        "it is cold in the {room}",
        "turn the heating down to {temperature}",
    ],
    "wake": [
        "wake me at {time}",
        "set an alarm for {time}",
        "remind me in {duration} to close the {device}",
        "I have to get up at {time} {date}",
        "cancel the alarm at {time}",
    ],
    "play": [
        "play {song} in the {room}",
        "put on {song}",
        "play {song} for {duration}",
        "I want to hear {song} at {time}",
    ],
    "travel": [
        "find a {mode} from {city} to {city}",
        "book a {mode} to {city} {date} for {people}",
        "when does the {mode} to {city} leave?",
        "I need to be in {city} {date}",
        "is there a {mode} to {city} at {time}?",
    ],
    "stay": [
        "book a room in {city} {date}",
        "find a hotel in {city} for {people}",
        "we need two nights in {city} {date} for {people}",
        "cancel my hotel in {city}",
    ],
    "weather": [
        "what will the weather be in {city} {date}?",
        "will it rain in {city} {date}?",
        "how warm is it in {city}?",
        "do I need a coat {date}?",
    ],
}
DOMAIN = {"light": "home", "heat": "home", "wake": "home", "play": "home", "travel": "road", "stay": "road", "weather": "road"}


def sentence(draw, template):
    text, spans = "", []
    while "{" in template:
        before, rest = template.split("{", 1)
        slot, template = rest.split("}", 1)
        text += before
        value = draw.choice(SLOTS[slot])
        spans.append({"start": len(text), "end": len(text) + len(value), "label": slot})
        text += value
    return text + template, spans


def main():
    draw = random.Random(6)
    seen, rows = set(), []
    for intent, templates in TEMPLATES.items():
        made = 0
        while made < 70:
            text, spans = sentence(draw, draw.choice(templates))
            if text in seen:
                continue
            seen.add(text)
            made += 1
            rows.append({"text": text, "domain": DOMAIN[intent], "intent": intent, "slots": spans})
    draw.shuffle(rows)
    for row in rows:
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
