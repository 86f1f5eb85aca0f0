<?php
namespace Checker;

class Checker
{
    public static function check(string $greeting): bool
    {
        return str_starts_with($greeting, 'hello');
    }
}
