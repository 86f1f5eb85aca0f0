require "greet/greet"
