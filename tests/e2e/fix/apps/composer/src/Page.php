<?php
namespace Shop;

use Greet\Greeting;

class Page
{
    public function __toString(): string
    {
        return Greeting::of('a package') . "\n";
    }
}
