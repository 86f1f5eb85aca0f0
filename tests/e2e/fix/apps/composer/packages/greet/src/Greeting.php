<?php
namespace Greet;

class Greeting
{
    public static function of(string $name): string
    {
        return "hello from {$name}";
    }
}
